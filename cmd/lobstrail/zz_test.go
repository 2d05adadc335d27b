package main_test
import ("testing";"os";"time";"syscall"
"github.com/lobstrail/lobstrail/report"
"github.com/lobstrail/lobstrail/store")
func TestZZBuild(t *testing.T){ p:=os.Getenv("DBP")
for range 4 {
s,err:=store.Open(t.Context(),p,store.Options{Rules:report.Rules()}); if err!=nil{t.Fatal(err)}
var r0,r1 syscall.Rusage
syscall.Getrusage(0,&r0)
b:=time.Now()
d,err:=s.Verify(t.Context(),store.VerifyOptions{},func(f store.Finding){t.Log(f)})
el:=time.Since(b)
syscall.Getrusage(0,&r1)
t.Log(d.Findings,err,el, float64(d.Snapshots)/el.Seconds(), "cpu", time.Duration(r1.Utime.Nano()-r0.Utime.Nano()), time.Duration(r1.Stime.Nano()-r0.Stime.Nano()), "rss MB", r1.Maxrss/1024); s.Close()
}}
