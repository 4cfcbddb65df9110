/* Waits until the write stands there. */
static void stands(struct stop *stop)
{
	is_asked_for(stop);
}

