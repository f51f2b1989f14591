"""Direct mode: cameras that the server reaches by itself, through go2rtc where there is one, else by its own capture alone."""
