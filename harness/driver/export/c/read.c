/* pread(2), and judges what was seen. */
static void reads(const char *what, int file, long long pos, long long len)
{
	unsigned char *seen = malloc(len ? len : 1);
	long from, until;
	ssize_t result;

	if (!seen)
		cannot("memory");
	pthread_mutex_lock(&lock);
	from = ++ticks;
	pthread_mutex_unlock(&lock);
	result = pread(fd[file], seen, len, pos);
	told(what, result);
	pthread_mutex_lock(&lock);
	until = ++ticks;
	pthread_mutex_unlock(&lock);
	if (result < 0)
		wrong("%s failed: %s", what, strerror(errno));
	judge(what, file, pos, seen, result, from, until);
	free(seen);
}

