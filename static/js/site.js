// What script adds to a page. Everything works without it.
