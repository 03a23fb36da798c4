"""The model: torch only. No Ray, no film files, no MLflow."""
