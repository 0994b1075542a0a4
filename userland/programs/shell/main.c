// The shell on the serial console. Each line is a command of its own or a program of the ramdisk.
#include <stdio.h>
#include <string.h>

#include "userland/programs/shell/commands.h"
#include "userland/programs/shell/line_edit.h"

#define PROMPT    "beryl> "
#define MAX_WORDS 32

static uint32_t split_words(char *line, const char **words)
{
    uint32_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " \t", &rest); word != NULL && count < MAX_WORDS;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    return count;
}

int main(void)
{
    static char line[LINE_EDIT_MAX];
    const char *words[MAX_WORDS];

    printf("Beryl's shell. Type help.\n");
    while (line_edit_read(PROMPT, line, sizeof(line))) {
        uint32_t count = split_words(line, words);

        if (count > 0)
            command_run(words, count);
    }
    printf("shell: the console has no input\n");
    return 1;
}
