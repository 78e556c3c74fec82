/* Reads images of 28 rows from standard input, as 32-bit floats, and prints the digit that the network sees in each. */
#include <stdio.h>

void digits_reset(float state[24]);
void digits_step(float state[24], const float input[28], float output[10]);

int main(void)
{
    float state[24], image[28][28], output[10];
    int row, i, best;
    while (fread(image, sizeof image, 1, stdin) == 1) {
        digits_reset(state);
        for (row = 0; row < 28; row++) digits_step(state, image[row], row == 27 ? output : 0);
        for (best = 0, i = 1; i < 10; i++)
            if (output[i] > output[best]) best = i;
        printf("%d\n", best);
    }
    return 0;
}
