/* Doubly linked intrusive list. A head and an unlinked node both point at themselves. */
#pragma once

#include "kernel/lib/compiler.h"

struct list_node {
    struct list_node *prev;
    struct list_node *next;
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

static inline void list_init(struct list_node *node)
{
    node->prev = node;
    node->next = node;
}

/* True for an empty head and for a node that is in no list. */
static inline bool list_is_empty(const struct list_node *node)
{
    return node->next == node;
}

static inline void list_insert_after(struct list_node *where, struct list_node *node)
{
    node->prev = where;
    node->next = where->next;
    where->next->prev = node;
    where->next = node;
}

static inline void list_push_front(struct list_node *head, struct list_node *node)
{
    list_insert_after(head, node);
}

static inline void list_push_back(struct list_node *head, struct list_node *node)
{
    list_insert_after(head->prev, node);
}

/* Unlinks |node| and leaves it pointing at itself, so removing twice is harmless. */
static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Removes and returns the first node, or NULL. */
static inline struct list_node *list_pop_front(struct list_node *head)
{
    struct list_node *node = head->next;
    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

/* Moves all nodes of |from| to the end of |to|; |from| becomes empty. */
static inline void list_splice_back(struct list_node *to, struct list_node *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_for_each(pos, head)                                                                   \
    for (struct list_node *pos = (head)->next; pos != (head); pos = pos->next)

/* Safe against removal of |pos| in the body. */
#define list_for_each_safe(pos, tmp, head)                                                         \
    for (struct list_node *pos = (head)->next, *tmp = pos->next; pos != (head);                    \
         pos = tmp, tmp = pos->next)
