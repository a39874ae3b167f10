-- The DAGs that somebody has marked as theirs.

CREATE TABLE favourite (
    dag_no  int NOT NULL REFERENCES dag ON DELETE CASCADE,
    user_no int NOT NULL REFERENCES user_account ON DELETE CASCADE,
    PRIMARY KEY (dag_no, user_no)
);
