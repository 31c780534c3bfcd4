"""The HTTP service: one analyzer behind bounded queues, with its page. Needs the extra `serve`."""
