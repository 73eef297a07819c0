"""What can go wrong in a pipeline, in words that say what to do."""


class PipelineFault(Exception):
    """A step of a pipeline cannot be done; the message says why and what to do."""
