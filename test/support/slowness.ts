/**
 * How many times slower than an ordinary machine this one is: TEST_SLOWNESS, set in guests without hardware
 * virtualization. Whoever waits for something waits that many times longer for it.
 */
export const SLOWNESS = Number(process.env['TEST_SLOWNESS'] ?? 1);
