/* VMOs: who is whose child, and who is told.
 *
 * A VMO counts as a child of its parent until its last user and its last child are gone. So that a
 * long line of descent does not grow, a closed VMO stays in the tree only while it stands for
 * several children before an ancestor that is still in use: a single child takes its place, and
 * where no ancestor is left its children have no parent any more. The tree is guarded by the
 * family's lock; the numbers of children, which watchers learn, by a lock of each VMO outside all
 * VM locks. */
#include "kernel/lib/panic.h"
#include "kernel/vm/vmo_internal.h"

/* ---- Numbers of children -------------------------------------------------------------------- */

/* Adds |change| (1 or -1). */
static void change_children(struct vmo *vmo, int change)
{
    irq_state_t irqs = spin_lock_irqsave(&vmo->children_lock);
    bool had_children = vmo->count_children > 0;

    vmo->count_children += (uint32_t)change;
    if (vmo->watcher != NULL && had_children != (vmo->count_children > 0))
        vmo->watcher->children_changed(vmo->watcher, !had_children);
    spin_unlock_irqrestore(&vmo->children_lock, irqs);
}

void vmo_set_watcher(struct vmo *vmo, struct vmo_watcher *watcher)
{
    irq_state_t irqs = spin_lock_irqsave(&vmo->children_lock);

    vmo->watcher = watcher;
    if (watcher != NULL && vmo->count_children > 0)
        watcher->children_changed(watcher, true);
    spin_unlock_irqrestore(&vmo->children_lock, irqs);
}

uint32_t vmo_count_children(struct vmo *vmo)
{
    return atomic_load_relaxed(&vmo->count_children);
}

/* ---- The tree ------------------------------------------------------------------------------- */

void vmo_adopt_locked(struct vmo *parent, struct vmo *child)
{
    refcount_get(&parent->links);
    child->parent = parent;
    child->parent_koid = parent->koid;
    list_push_back(&parent->children, &child->child_node);
}

void vmo_announce_child(struct vmo *child)
{
    change_children(child->parent, 1);
}

static bool has_one_child(const struct vmo *vmo)
{
    return !list_is_empty(&vmo->children) && vmo->children.next == vmo->children.prev;
}

/* Takes the children, and those of children that only stood for them, from a VMO that has no
 * parent itself. |resolved| gets the VMOs that have nobody below them any more. */
static void orphan_all_locked(struct vmo *top, struct list_node *resolved)
{
    struct list_node todo = LIST_INIT(todo), *node;

    list_push_back(&todo, &top->child_node);
    while ((node = list_pop_front(&todo)) != NULL) {
        struct vmo *vmo = list_entry(node, struct vmo, child_node);
        while ((node = list_pop_front(&vmo->children)) != NULL) {
            struct vmo *child = list_entry(node, struct vmo, child_node);
            child->parent = NULL;
            (void)refcount_put(&vmo->links); /* never the last: its own comes later */
            if (child->is_closed)
                list_push_back(&todo, &child->child_node);
        }
        list_push_back(resolved, &vmo->child_node);
    }
}

/* The only child comes into the place of |vmo|. */
static void replace_by_child_locked(struct vmo *vmo, struct list_node *resolved)
{
    struct vmo *child = list_entry(vmo->children.next, struct vmo, child_node);

    list_remove(&child->child_node);
    list_insert_after(&vmo->child_node, &child->child_node);
    list_remove(&vmo->child_node);
    child->parent = vmo->parent; /* with the link */
    vmo->parent = NULL;
    (void)refcount_put(&vmo->links); /* the child's; its own comes later */
    list_push_back(resolved, &vmo->child_node);
}

/* Takes |vmo|, which is closed, out of the tree if nothing needs it there. *out_parent: a link on
 * the parent that has one child less now; NULL: there is none. */
static void resolve_locked(struct vmo *vmo, struct list_node *resolved, struct vmo **out_parent)
{
    *out_parent = NULL;
    if (vmo->parent == NULL) {
        orphan_all_locked(vmo, resolved);
    } else if (list_is_empty(&vmo->children)) {
        *out_parent = vmo->parent;
        vmo->parent = NULL;
        list_remove(&vmo->child_node);
        list_push_back(resolved, &vmo->child_node);
    } else if (has_one_child(vmo)) {
        replace_by_child_locked(vmo, resolved);
    }
}

static void put_link(struct vmo *vmo)
{
    if (refcount_put(&vmo->links))
        vmo_free(vmo);
}

void vmo_leave_kin(struct vmo *vmo)
{
    /* Each turn has a link on |vmo|: at first the users', then that of the child that went. */
    bool is_user_gone = true;

    refcount_get(&vmo->links);
    while (vmo != NULL) {
        struct list_node resolved = LIST_INIT(resolved), *node;
        struct vmo *parent = NULL;
        vmo_lock(vmo);
        vmo->is_closed |= is_user_gone;
        /* It may have been resolved while the lock was free. */
        if (vmo->is_closed && !vmo->is_resolved)
            resolve_locked(vmo, &resolved, &parent);
        list_for_each (at, &resolved)
            list_entry(at, struct vmo, child_node)->is_resolved = true;
        vmo_unlock(vmo);
        while ((node = list_pop_front(&resolved)) != NULL)
            put_link(list_entry(node, struct vmo, child_node));
        if (parent != NULL)
            change_children(parent, -1);
        put_link(vmo);
        vmo = parent;
        is_user_gone = false;
    }
}
