// complaint: the wrong program compiles
// prints: anything

int nothing_is_wrong_here();
