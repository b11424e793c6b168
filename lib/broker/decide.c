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

/* What a rank needs to have a view of its own on an image that is there. */
static unsigned of_image(const struct image *image)
{
    return (image->fuse >= 0 ? SHARE_FUSE : 0) | (image->unpacked.directory >= 0 ? SHARE_DIRECTORY : 0) |
           (image->config >= 0 ? SHARE_CONFIG : 0);
}

static enum share_kind way_to(const struct image *image)
{
    if (!image->is_ready)
        return SHARE_LEAD;
    return image->identity.is_served ? SHARE_SERVED : SHARE_BUILD;
}

static void refuse(struct broker *broker, struct rank *rank)
{
    rank->waits = 0;
    broker_answer(broker, rank, SHARE_ALONE, 0, "coracle-broker has no memory left");
}

static void build(struct broker *broker, struct rank *rank, struct image *image)
{
    const enum share_kind way = way_to(image);

    if (!broker_add_view(broker, image, rank)) {
        refuse(broker, rank);
        return;
    }
    if (way == SHARE_LEAD)
        image->lead = rank;
    broker_answer(broker, rank, way, userns_if_any(broker) | (way == SHARE_SERVED ? of_image(image) : 0),
                  way == SHARE_SERVED ? image->unpacked.path : broker_loss_of(broker, &rank->hello.image));
}

static void decide(struct broker *broker, struct rank *rank)
{
    struct image *image = broker_find_image(broker, rank);
    struct view *view = broker_find_view(broker, rank);

    if (view && broker_has_lost_server(view->image))
        image = view->image;
    if (image && broker_has_lost_server(image)) {
        broker_server_ended(broker, image);
        return; /* and once more */
    }
    if (userns_is_coming(broker) || (image && image->lead) || (view && view->builder))
        return;
    if (view && broker_is_fresh(view)) {
        broker_enter(rank, view);
        broker_answer(broker, rank, SHARE_ENTER,
                      SHARE_USERNS | SHARE_MOUNTNS | (of_image(view->image) & SHARE_CONFIG), NULL);
        return;
    }
    if (view)
        view->is_gone = 1;
    if (!image)
        image = broker_add_image(broker, rank);
    if (!image) {
        refuse(broker, rank);
        return;
    }
    build(broker, rank, image);
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
