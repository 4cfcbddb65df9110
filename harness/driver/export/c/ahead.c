static struct stop tried = { .pieces = 2, .at = 1, .unreadable = -1, .value = 1 };
static struct thread tried_thread;
static int tried_file;

static void *try_it(void *unused)
{
	if (pwritev(tried_file, tried.source, tried.pieces, 0) < 0)
		cannot("a write of two pages");
	return unused;
}

/* Whether a write asks for all of its source before it copies any of it: one does to a file of its own. */
static int asks_ahead(const char *directory)
{
	struct stat now;

	tried_file = unnamed(directory);
	prepare(&tried, (size_t[]){ PAGE, PAGE });
	begin(&tried_thread, try_it);
	is_asked_for(&tried);
	if (fstat(tried_file, &now))
		cannot("fstat");
	resume(&tried);
	finish(&tried_thread);
	forget(&tried);
	close(tried_file);
	return !now.st_size;
}

/*
 * Waits until the write stands there. Where it asks for all of its source first, the page is there until
 * it asks for one behind, and is gone again when it copies: so it asks once more, with all before copied.
 */
static void stands_behind(struct stop *stop, const char *directory)
{
	is_asked_for(stop);
	if (!asks_ahead(directory))
		return;
	watch(stop, stop->at + 1);
	supply(stop, stop->at);
	is_asked_for(stop);
	take_away(stop, stop->at);
	supply(stop, stop->at + 1);
	is_asked_for(stop);
}

