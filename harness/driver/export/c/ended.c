/* The call has changed these bytes, and the size if they lie behind it. */
static void ended_with(int call, long long pos, long long end)
{
	struct effect *effect = &effects[call];

	pthread_mutex_lock(&lock);
	effect->pos = pos;
	effect->end = end;
	if (!effect->cuts && end < effect->size)
		effect->size = end;
	if (pos == end)
		effect->size = 0;
	effect->ended = ++ticks;
	pthread_mutex_unlock(&lock);
}

