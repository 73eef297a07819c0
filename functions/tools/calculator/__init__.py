"""Calculator: named expressions in, exact values out."""
