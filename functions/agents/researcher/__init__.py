"""Takes a question about documents; gives an answer with figures that can be checked."""
