/* A call that moves what lies behind a range. */
static void moved(int call, const char *what, int result)
{
	struct effect *effect = &effects[call];

	did(call, what, result);
	pthread_mutex_lock(&lock);
	if (!effect->ended)
		effect->value = ANYTHING;
	else if (result)
		effect->by = 0;
	/* Of what changed the file meanwhile nobody knows where it is now. */
	for (int i = 0; i < made; i++) {
		const struct effect *other = &effects[i];

		if (i != call && other->file == effect->file && effect->by &&
		    (!other->ended || effect->begun < other->ended))
			effect->value = ANYTHING;
	}
	pthread_mutex_unlock(&lock);
}

