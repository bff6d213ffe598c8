"""The one Flask: factory, headers, CSRF, language, display, sessions, limits, deadline, health, errors and the shared look."""
