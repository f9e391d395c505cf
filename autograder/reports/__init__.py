"""Results for people: tables, CSV, pictures. Reads results and knows neither judge nor sandbox."""
