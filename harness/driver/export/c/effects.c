/* A call that does all that it was asked to, or nothing. */
static void did(int call, const char *what, int result)
{
	struct effect *effect = &effects[call];

	told(what, result);
	if (result && errno == EOPNOTSUPP)
		cannot(what);
//- if refuses
	if (result && errno == EINVAL && effect->refuses) {
		ended_with(call, 0, 0);
		return;
	}
//- end
	if (result && !no_space())
		wrong("%s failed: %s", what, strerror(errno));
	pthread_mutex_lock(&lock);
	/* One that grows a file may do so in steps, and one that found no space stop between them. */
	if (result && no_space() && !effect->cuts) {
		effect->least = effect->size ? 1 : 0;
		effect->most = effect->size;
		effect->size = 0;
	} else {
		if (result)
			effect->pos = effect->end = effect->size = effect->cuts = 0;
		effect->ended = ++ticks;
	}
	pthread_mutex_unlock(&lock);
}

