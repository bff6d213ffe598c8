"""What every page promises. Each check takes a page state and yields sentences about what is wrong."""
