/* Is compiled for Armv7-M: a division is one instruction there. */
unsigned kw_foreign_processor(unsigned dividend, unsigned divisor);

unsigned kw_foreign_processor(unsigned dividend, unsigned divisor) {
    return dividend / divisor;
}
