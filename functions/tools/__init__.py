"""Tools: functions that do one action behind a published contract."""
