"""Agents: functions that run the plan, act, observe loop over one reasoning domain."""
