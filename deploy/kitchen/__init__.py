"""`kitchen`, the operator's command line. It runs where a service runs: `docker compose run --rm matching-worker kitchen ...`"""
