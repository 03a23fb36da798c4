"""The only package that imports av: probe, decode, encode, mux."""
