"""The code of the release before, so that tests run it beside this one."""
