-- Filters of a list that somebody has given a name.

CREATE TABLE saved_view (
    view_no    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_no    int NOT NULL REFERENCES user_account ON DELETE CASCADE,
    page       text NOT NULL CHECK (page IN ('runs', 'tasks')),
    name       text NOT NULL,
    query      text NOT NULL,  -- as it stands in the address of the page
    is_default boolean NOT NULL DEFAULT false,
    UNIQUE (user_no, page, name)
);
