"""Writing the books: `accounts` opens them, `postings` books and reverses, `reservations` hold and resolve."""
