<?php
// One request, for PHP-FPM and for Apache's module: each process serves one at a time and keeps its connections.
header('Content-Type: text/plain');
if (strtok($_SERVER['REQUEST_URI'], '?') !== '/work') {
    echo "ready\n";
    return;
}
$id = $_GET['id'];
$mark = $_GET['carry'] === 'reversed' ? strrev($id) : $id;

$database = pg_pconnect(sprintf('host=%s port=%s user=%s dbname=%s',
    getenv('PGHOST'), getenv('PGPORT'), getenv('PGUSER'), getenv('PGDATABASE')));
pg_query_params($database, 'INSERT INTO visits (mark) VALUES ($1)', [$mark]);

// A list starts the program itself, without a shell.
$child = proc_open(['/bin/echo', $mark], [1 => ['pipe', 'w']], $pipes);
stream_get_contents($pipes[1]);
proc_close($child);

$path = getenv('WORK_DIR') . "/$mark.txt";
file_put_contents($path, "visited\n");
unlink($path);

$store = new Redis();
$store->pconnect('127.0.0.1', (int) getenv('REDIS_PORT'));
$store->exists("visit:$mark");

pg_query($database, "SELECT 1 /* $mark */");
echo "done $id\n";
