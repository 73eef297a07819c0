"""What delivers a function: workflows by function, the image an environment runs, the scan."""
