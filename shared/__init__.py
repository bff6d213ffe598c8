"""What every service stands on. Imports no service."""
