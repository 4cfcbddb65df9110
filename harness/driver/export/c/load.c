/* Whether these bytes lie within the file, so that they could be loaded. */
static int loaded(unsigned char *to, const unsigned char *from, size_t len)
{
	if (sigsetjmp(back, 1))
		return 0;
	memcpy(to, from, len);
	return 1;
}

/* Loads through the mapping, as far as the file goes, and judges what was seen. */
static void load(const char *what, int file, long long pos, long long len)
{
	unsigned char *seen = malloc(len);
	long long done = 0, inside;
	long from, until;

	if (!seen)
		cannot("memory");
	pthread_mutex_lock(&lock);
	from = ++ticks;
	pthread_mutex_unlock(&lock);
	/* What lies behind the end of the file within its last page is nobody's. */
	inside = size_now(file) - pos;
	if (inside < len)
		len = inside;
	while (done < len) {
		long long some = PAGE - (pos + done) % PAGE;

		if (len - done < some)
			some = len - done;
		if (!loaded(seen + done, map[file] + pos + done, some))
			break;
		done += some;
	}
	told(what, done);
	pthread_mutex_lock(&lock);
	until = ++ticks;
	pthread_mutex_unlock(&lock);
	judge(what, file, pos, seen, done, from, until);
	free(seen);
}

