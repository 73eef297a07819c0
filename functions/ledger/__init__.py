"""HTTP requests to hold and settle money come in; balances and attribution events go out."""
