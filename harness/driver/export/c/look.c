/* A look at bytes of a file: since when, and how many of them the file had. */
struct look {
	int file;
	long long pos, inside;
	long since;
	unsigned char *bytes;
};

static struct look looks(int file, long long pos, long long len)
{
	struct look look = { .file = file, .pos = pos };
	void *bytes;

	if (posix_memalign(&bytes, PAGE, len ? len : 1))
		cannot("memory");
	look.bytes = bytes;
	pthread_mutex_lock(&lock);
	look.since = ++ticks;
	pthread_mutex_unlock(&lock);
	/* What lies behind the end of the file within its last page is nobody's. */
	look.inside = size_now(file) - pos;
	if (len < look.inside)
		look.inside = len;
	return look;
}

/* Whether somebody may have cut the file in between. */
static int is_cut(int file, long since, long until)
{
	int cuts = 0;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < made; i++) {
		const struct effect *effect = &effects[i];
		int shrinks = effect->cuts;

//- if moves
		shrinks |= effect->by < 0;
//- end
		cuts |= effect->file == file && shrinks && effect->begun < until &&
			(!effect->ended || since < effect->ended);
	}
	pthread_mutex_unlock(&lock);
	return cuts;
}

/* It saw so many bytes. */
static void saw(const char *what, struct look *look, long long result)
{
	long until;

	told(what, result);
//- if collides
	/* A call past the cache may give up beside one through it. */
	if (result < 0 && errno == EIO)
		result = look->inside = 0;
//- end
	pthread_mutex_lock(&lock);
	until = ++ticks;
	pthread_mutex_unlock(&lock);
	if (result < 0)
		wrong("%s failed: %s", what, strerror(errno));
	else if (result < look->inside && !is_cut(look->file, look->since, until))
		wrong("%s returned %lld, and the file has %lld bytes there", what, result,
		      look->inside);
	judge(what, look->file, look->pos, look->bytes, result, look->since, until);
	free(look->bytes);
}

