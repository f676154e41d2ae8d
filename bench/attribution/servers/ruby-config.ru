# A Rack application, for Puma.
require 'pg'
require 'rack'
require 'redis'

POOL = Queue.new
8.times { POOL << nil }
STORE = Redis.new(port: ENV.fetch('REDIS_PORT').to_i)

def query(statement, values = nil)
  connection = POOL.pop || PG.connect
  values ? connection.exec_params(statement, values) : connection.exec(statement)
ensure
  POOL << connection
end

def work(parameters)
  given = parameters.fetch('id')
  mark = parameters['carry'] == 'reversed' ? given.reverse : given
  query('INSERT INTO visits (mark) VALUES ($1)', [mark])
  IO.popen(['/bin/echo', mark], &:read)
  path = File.join(ENV.fetch('WORK_DIR'), "#{mark}.txt")
  File.write(path, "visited\n")
  File.unlink(path)
  STORE.exists?("visit:#{mark}")
  query("SELECT 1 /* #{mark} */")
  "done #{given}\n"
end

run lambda { |environment|
  request = Rack::Request.new(environment)
  body = request.path == '/work' ? work(request.params) : "ready\n"
  [200, { 'Content-Type' => 'text/plain', 'Content-Length' => body.bytesize.to_s }, [body]]
}
