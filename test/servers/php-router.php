<?php
// Router of PHP's own server: a worker process serves one request at a time. See README.md for the paths.
// Usage: php -S 127.0.0.1:PORT php-router.php

declare(strict_types=1);

function run_program(array $command): string
{
    $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
    $output = stream_get_contents($pipes[1]);
    fclose($pipes[1]);
    proc_close($process);
    return $output;
}

function work(bool $is_shell): string
{
    $id = $_GET['id'] ?? '';
    $mark = ($_GET['carry'] ?? '') === 'reversed' ? strrev($id) : $id;
    fclose(stream_socket_client('tcp://127.0.0.1:' . ($_GET['port'] ?? getenv('SINK_PORT'))));
    run_program($is_shell ? ['/bin/sh', '-c', "/bin/echo $mark; true"] : ['/bin/echo', $mark]);
    $path = getenv('WORK_DIR') . "/$mark.txt";
    file_put_contents($path, $mark);
    file_get_contents($path);
    return "done $id\n";
}

function reply(int $status, string $body): void
{
    http_response_code($status);
    header('Content-Type: text/plain');
    header('Content-Length: ' . strlen($body));
    echo $body;
}

function read_file(string $name): void
{
    $content = @file_get_contents(getenv('WORK_DIR') . "/$name");
    $content === false ? reply(500, "cannot read\n") : reply(200, $content);
}

$name = $_GET['name'] ?? '';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
match (true) {
    $path === '/' => reply(200, "ready\n"),
    $path === '/work', $path === '/shell' => reply(200, work($path === '/shell')),
    $path === '/run' => reply(200, (string) shell_exec('/bin/echo checking ' . ($_GET['cmd'] ?? ''))),
    $path === '/saferun' => reply(200, run_program(['/bin/echo', 'checking', $_GET['arg'] ?? ''])),
    $path === '/saferead' && (str_contains($name, '/') || str_starts_with($name, '.')) => reply(403, "refused\n"),
    $path === '/read', $path === '/saferead' => read_file($name),
    $path === '/big' => reply(200, str_repeat('x', 200 * 1024)),
    $path === '/echo' => reply(200, file_get_contents('php://input')),
    default => reply(404, "not found\n"),
};
