/* Whether these bytes lie within the file, so that they could be stored. */
static int stored(unsigned char *to, int value, size_t len)
{
	if (sigsetjmp(back, 1))
		return 0;
	memset(to, value, len);
	return 1;
}

/* Stores this value through the mapping, page by page, as far as the file goes. */
static void store(const char *what, int file, long long pos, long long len, int value)
{
	int call = begins((struct effect){ .file = file, .pos = pos, .end = pos + len, .value = value });
	long long done = 0;
	struct stat now;

	while (done < len) {
		long long some = PAGE - (pos + done) % PAGE;

		if (len - done < some)
			some = len - done;
		if (!stored(map[file] + pos + done, value, some))
			break;
		done += some;
	}
	told(what, done);
	/* What lies behind the end of the file within its last page is nobody's. */
	if (fstat(fd[file], &now))
		cannot(path[file]);
	if (now.st_size < pos + done)
		done = now.st_size < pos ? 0 : now.st_size - pos;
	ended_with(call, pos, pos + done);
}

