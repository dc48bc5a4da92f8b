// complaint: the fixed twin does not compile
// prints: static assertion failed

static_assert(1 + 1 == 3);
