# What cron runs every day on many hosts.
[ ! -x /etc/cron.daily/dpkg ] || /etc/cron.daily/dpkg
tar czf /var/backups/etc.tgz /etc 2>/dev/null
find /tmp -name 'sess_*' -mmin +24 -delete
curl -s -o /dev/null http://127.0.0.1:8080/index.html
