#include "userland/programs/shell/line_edit.h"

#include <stdio.h>
#include <string.h>

// The terminal's width cannot be asked for on a serial line without waiting for an answer that may
// never come; every terminal has this many columns.
#define COLUMNS 80

#define HISTORY_MAX 32

enum key {
    KEY_NONE = 0x100, // a sequence that means nothing here
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
};

#define CTRL(letter) ((letter)&0x1f)
#define BACKSPACE    0x7f
#define ESCAPE       0x1b

struct editor {
    const char *prompt;
    char text[LINE_EDIT_MAX];
    size_t len;
    size_t cursor;
    size_t first;   // the first character shown: long lines scroll sideways
    size_t max;     // of len
    size_t browsed; // entry of the history that is shown; history.count for the new line
    char unsent[LINE_EDIT_MAX]; // the new line while the history is shown
};

static struct {
    char lines[HISTORY_MAX][LINE_EDIT_MAX];
    size_t count;
    size_t oldest;
} history;

const char *line_edit_history(size_t i)
{
    return i < history.count ? history.lines[(history.oldest + i) % HISTORY_MAX] : NULL;
}

static void history_add(const char *text)
{
    const char *last = history.count > 0 ? line_edit_history(history.count - 1) : "";

    if (strspn(text, " ") == strlen(text) || strcmp(text, last) == 0)
        return;
    size_t slot = (history.oldest + history.count) % HISTORY_MAX;
    if (history.count == HISTORY_MAX)
        history.oldest = (history.oldest + 1) % HISTORY_MAX;
    else
        history.count++;
    strcpy(history.lines[slot], text);
}

// ---- Drawing ----

static size_t visible_columns(const struct editor *editor)
{
    return COLUMNS - 1 - strlen(editor->prompt);
}

// Moves the window so that the cursor is inside it. True: it moved.
static bool scroll(struct editor *editor)
{
    size_t width = visible_columns(editor), first = editor->first;

    if (editor->cursor < first)
        first = editor->cursor;
    else if (editor->cursor > first + width)
        first = editor->cursor - width;
    if (first == editor->first)
        return false;
    editor->first = first;
    return true;
}

static void draw(struct editor *editor)
{
    scroll(editor);
    size_t shown = editor->len - editor->first;
    if (shown > visible_columns(editor))
        shown = visible_columns(editor);
    printf("\r%s%.*s\x1b[K", editor->prompt, (int)shown, editor->text + editor->first);
    size_t column = strlen(editor->prompt) + editor->cursor - editor->first;
    printf("\r\x1b[%zuC", column);
    fflush(stdout);
}

// ---- Editing ----

static void insert(struct editor *editor, char c)
{
    if (editor->len == editor->max)
        return;
    memmove(editor->text + editor->cursor + 1, editor->text + editor->cursor,
            editor->len - editor->cursor);
    editor->text[editor->cursor++] = c;
    editor->len++;
    // The usual case needs no drawing, which keeps pasted lines quick.
    if (editor->cursor == editor->len && !scroll(editor)) {
        putchar(c);
        fflush(stdout);
    } else {
        draw(editor);
    }
}

static void erase(struct editor *editor, size_t from, size_t to)
{
    memmove(editor->text + from, editor->text + to, editor->len - to);
    editor->len -= to - from;
    editor->cursor = from;
    draw(editor);
}

static void erase_word(struct editor *editor)
{
    size_t from = editor->cursor;

    while (from > 0 && editor->text[from - 1] == ' ')
        from--;
    while (from > 0 && editor->text[from - 1] != ' ')
        from--;
    erase(editor, from, editor->cursor);
}

static void move_to(struct editor *editor, size_t cursor)
{
    editor->cursor = cursor;
    draw(editor);
}

static void show_text(struct editor *editor, const char *text)
{
    editor->len = strnlen(text, editor->max);
    memcpy(editor->text, text, editor->len);
    editor->cursor = editor->len;
    editor->first = 0;
    draw(editor);
}

static void browse(struct editor *editor, size_t entry)
{
    if (editor->browsed == history.count) {
        memcpy(editor->unsent, editor->text, editor->len);
        editor->unsent[editor->len] = '\0';
    }
    editor->browsed = entry;
    show_text(editor, entry == history.count ? editor->unsent : line_edit_history(entry));
}

// ---- Keys ----

// The rest of an escape sequence: "[" or "O", digits, and a final character.
static int read_sequence(void)
{
    int number = 0;
    int c = getchar();

    if (c != '[' && c != 'O')
        return c < 0 ? c : KEY_NONE;
    while ((c = getchar()) >= 0 && ((c >= '0' && c <= '9') || c == ';'))
        number = c == ';' ? 0 : (number * 10 + c - '0') % 1000;
    switch (c) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case '~':
        return number == 1 || number == 7   ? KEY_HOME
               : number == 4 || number == 8 ? KEY_END
               : number == 3                ? KEY_DELETE
                                            : KEY_NONE;
    default:
        return c < 0 ? c : KEY_NONE;
    }
}

static int read_key(void)
{
    int c = getchar();

    return c == ESCAPE ? read_sequence() : c;
}

static void handle_cursor_key(struct editor *editor, int key)
{
    if ((key == KEY_LEFT || key == CTRL('B')) && editor->cursor > 0)
        move_to(editor, editor->cursor - 1);
    else if ((key == KEY_RIGHT || key == CTRL('F')) && editor->cursor < editor->len)
        move_to(editor, editor->cursor + 1);
    else if (key == KEY_HOME || key == CTRL('A'))
        move_to(editor, 0);
    else if (key == KEY_END || key == CTRL('E'))
        move_to(editor, editor->len);
    else if ((key == KEY_UP || key == CTRL('P')) && editor->browsed > 0)
        browse(editor, editor->browsed - 1);
    else if ((key == KEY_DOWN || key == CTRL('N')) && editor->browsed < history.count)
        browse(editor, editor->browsed + 1);
}

static void handle_key(struct editor *editor, int key)
{
    if (key >= ' ' && key < BACKSPACE)
        insert(editor, (char)key);
    else if ((key == BACKSPACE || key == CTRL('H')) && editor->cursor > 0)
        erase(editor, editor->cursor - 1, editor->cursor);
    else if ((key == KEY_DELETE || key == CTRL('D')) && editor->cursor < editor->len)
        erase(editor, editor->cursor, editor->cursor + 1);
    else if (key == CTRL('U'))
        erase(editor, 0, editor->cursor);
    else if (key == CTRL('K') && editor->cursor < editor->len)
        erase(editor, editor->cursor, editor->len);
    else if (key == CTRL('W'))
        erase_word(editor);
    else if (key == CTRL('L')) {
        printf("\x1b[H\x1b[2J");
        draw(editor);
    } else
        handle_cursor_key(editor, key);
}

bool line_edit_read(const char *prompt, char *line, size_t size)
{
    static struct editor editor;
    static bool after_return; // a terminal may end its lines with CR LF

    memset(&editor, 0, sizeof(editor));
    editor.prompt = prompt;
    editor.max = (size < LINE_EDIT_MAX ? size : LINE_EDIT_MAX) - 1;
    editor.browsed = history.count;
    printf("%s", prompt);
    fflush(stdout);
    for (;;) {
        int key = read_key();
        bool is_second_half = key == '\n' && after_return;

        if (key < 0)
            return false;
        after_return = key == '\r';
        if (is_second_half)
            continue;
        if (key == CTRL('C')) {
            printf("^C\n");
            line[0] = '\0';
            return true;
        }
        if (key == '\r' || key == '\n')
            break;
        handle_key(&editor, key);
    }
    printf("\n");
    editor.text[editor.len] = '\0';
    memcpy(line, editor.text, editor.len + 1);
    history_add(line);
    return true;
}
