"""What goes into a function's image: exactly what the function imports, and what that costs."""
