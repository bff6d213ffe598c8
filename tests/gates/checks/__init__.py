"""What every page promises. Each check is a function from a page state to sentences about what is wrong: none when all is well."""
