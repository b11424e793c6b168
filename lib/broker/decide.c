/* Which way a rank takes. */
#include <string.h>

#include "broker/state.h"

/* Whether somebody is about to make the user namespace of all. */
static int userns_is_coming(const struct broker *broker)
{
    for (const struct view *view = broker->views; view && broker->userns < 0; view = view->next)
        if (view->builder)
            return 1;
    return 0;
}

static unsigned userns_if_any(const struct broker *broker)
{
    return broker->userns >= 0 ? SHARE_USERNS : 0;
}

static unsigned of_image(const struct image *image)
{
    return (image->config >= 0 ? SHARE_CONFIG : 0) | (image->pristine >= 0 ? SHARE_PRISTINE : 0);
}

static void refuse(struct broker *broker, struct rank *rank)
{
    rank->waits = 0;
    broker_answer(broker, rank, SHARE_ALONE, 0, "coracle-broker has no memory left");
}

static void build(struct broker *broker, struct rank *rank, struct image *image)
{
    enum share_kind way = !image->is_ready ? SHARE_LEAD : image->fuse >= 0 ? SHARE_SERVED : SHARE_BUILD;

    if (!broker_add_view(broker, image, rank)) {
        refuse(broker, rank);
        return;
    }
    if (way == SHARE_LEAD)
        image->lead = rank;
    broker_answer(broker, rank, way,
                  userns_if_any(broker) | (way == SHARE_SERVED ? SHARE_FUSE | of_image(image) : 0),
                  broker_loss_of(broker, &rank->hello.image));
}

static void decide(struct broker *broker, struct rank *rank)
{
    struct image *image = broker_find_image(broker, &rank->hello.image);
    struct view *view = image ? broker_find_view(broker, image, rank) : NULL;

    if (userns_is_coming(broker) || (image && image->lead))
        return;
    if (!image)
        image = broker_add_image(broker, rank);
    if (!image) {
        refuse(broker, rank);
        return;
    }
    if (!view || rank->hello.flags & SHARE_OWN_VIEW) {
        build(broker, rank, image);
    } else if (view->builder) {
        return;
    } else if (broker_is_fresh(view)) {
        broker_enter(rank, view);
        broker_answer(broker, rank, SHARE_ENTER,
                      SHARE_USERNS | SHARE_MOUNTNS | (of_image(image) & SHARE_CONFIG), NULL);
    } else {
        view->is_gone = 1;
        build(broker, rank, image);
    }
}

void broker_decide(struct broker *broker)
{
    while (broker->has_to_decide) {
        broker->has_to_decide = 0;
        for (struct rank *rank = broker->ranks; rank; rank = rank->next)
            if (rank->waits)
                decide(broker, rank);
    }
}
