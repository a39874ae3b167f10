-- Lists of all runs begin with the newest; without an index each page sorts all that there are.
CREATE INDEX run_newest ON run (run_after DESC NULLS LAST, run_no DESC);
