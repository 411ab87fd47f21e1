-- The minute (ms since the epoch) that the last good run of each job on the timetable was due.
CREATE TABLE job_runs (
  job TEXT PRIMARY KEY,
  due INTEGER NOT NULL
) STRICT;
