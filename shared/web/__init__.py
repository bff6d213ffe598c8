"""The one Flask: factory, headers, CSRF, language, comfort, sessions, limits, health, error pages and the shared look."""
