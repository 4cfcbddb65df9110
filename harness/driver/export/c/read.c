/* Whether somebody may have cut the file in between. */
static int is_cut(int file, long from, long until)
{
	int cuts = 0;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < made; i++)
		cuts |= effects[i].file == file && effects[i].cuts && effects[i].begun < until &&
			(!effects[i].ended || from < effects[i].ended);
	pthread_mutex_unlock(&lock);
	return cuts;
}

/* pread(2), and judges what was seen. */
static void reads(const char *what, int file, long long pos, long long len)
{
	unsigned char *seen = malloc(len ? len : 1);
	long from, until;
	long long inside;
	ssize_t result;

	if (!seen)
		cannot("memory");
	pthread_mutex_lock(&lock);
	from = ++ticks;
	pthread_mutex_unlock(&lock);
	inside = size_now(file) - pos;
	if (len < inside)
		inside = len;
	result = pread(fd[file], seen, len, pos);
	told(what, result);
	pthread_mutex_lock(&lock);
	until = ++ticks;
	pthread_mutex_unlock(&lock);
	if (result < 0)
		wrong("%s failed: %s", what, strerror(errno));
	else if (result < inside && !is_cut(file, from, until))
		wrong("%s returned %zd, and the file has %lld bytes there", what, result, inside);
	judge(what, file, pos, seen, result, from, until);
	free(seen);
}

