"""What a rendered environment must hold to, and the schemas of the kinds it is made of."""
