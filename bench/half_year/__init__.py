"""Half a year of lives, week by week, on real servers; then what must have stayed true of every one of them."""
