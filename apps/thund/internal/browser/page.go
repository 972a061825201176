// SPDX-License-Identifier: MIT

package browser

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Page is one tab.
type Page struct {
	browser *Browser
	session string

	mutex    sync.Mutex
	requests []string
	problems []string
}

// Open opens a tab of this size and waits until the page there is loaded.
func (b *Browser) Open(url string, width, height int, isDark bool) (*Page, error) {
	var target struct{ TargetID string }
	if err := b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	var attached struct{ SessionID string }
	if err := b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		return nil, err
	}
	p := &Page{browser: b, session: attached.SessionID}
	b.mutex.Lock()
	b.pages[p.session] = p
	b.mutex.Unlock()
	theme := "light"
	if isDark {
		theme = "dark"
	}
	for _, one := range []struct {
		method string
		params map[string]any
	}{
		{"Page.enable", nil}, {"Runtime.enable", nil}, {"Network.enable", nil}, {"Log.enable", nil},
		{"Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}},
		{"Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": theme}}}},
		{"Page.navigate", map[string]any{"url": url}},
	} {
		if err := p.call(one.method, one.params, nil); err != nil {
			return nil, err
		}
	}
	return p, p.Await("document.readyState === 'complete'")
}

func (p *Page) call(method string, params, into any) error {
	return p.browser.call(p.session, method, params, into)
}

// event keeps what the page asked for, and what went wrong.
func (p *Page) event(m message) {
	var e struct {
		Type    string
		Request struct{ URL string }
		Entry   struct{ Level, Text, URL string }
		Args    []struct{ Value, Description any }

		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if json.Unmarshal(m.Params, &e) != nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case m.Method == "Network.requestWillBeSent":
		p.requests = append(p.requests, e.Request.URL)
	case m.Method == "Runtime.exceptionThrown":
		p.problems = append(p.problems, e.ExceptionDetails.Text+" "+e.ExceptionDetails.Exception.Description)
	case m.Method == "Runtime.consoleAPICalled" && (e.Type == "error" || e.Type == "warning" || e.Type == "assert"):
		p.problems = append(p.problems, fmt.Sprint(e.Type, e.Args))
	case m.Method == "Log.entryAdded" && (e.Entry.Level == "error" || e.Entry.Level == "warning"):
		p.problems = append(p.problems, e.Entry.Text+" "+e.Entry.URL)
	}
}

// Requests are the addresses that the page has asked for.
func (p *Page) Requests() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]string(nil), p.requests...)
}

// Problems are the errors and warnings of the console.
func (p *Page) Problems() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]string(nil), p.problems...)
}

// Eval returns the value of an expression.
func (p *Page) Eval(expression string, into any) error {
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if err := p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer); err != nil {
		return err
	}
	if e := answer.ExceptionDetails; e != nil {
		return fmt.Errorf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer.Result.Value, into)
}

// Await waits until an expression is true.
func (p *Page) Await(expression string) error {
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var is bool
		if err := p.Eval("!!("+expression+")", &is); err != nil {
			return err
		}
		if is {
			return nil
		}
		if time.Since(begin) > answerTime {
			return fmt.Errorf("after %v this is not true: %s", answerTime, expression)
		}
	}
}

// Press presses a key and releases it.
func (p *Page) Press(key, code string, number int) error {
	for _, kind := range []string{"keyDown", "keyUp"} {
		if err := p.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Click clicks on the middle of the first element that a selector finds.
func (p *Page) Click(selector string) error {
	var at struct{ X, Y float64 }
	if err := p.Eval(fmt.Sprintf("(() => { const r = document.querySelector(%q).getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()", selector), &at); err != nil {
		return err
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		if err := p.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Picture is the page as PNG.
func (p *Page) Picture() ([]byte, error) {
	var answer struct{ Data []byte }
	err := p.call("Page.captureScreenshot", map[string]any{"format": "png", "optimizeForSpeed": false}, &answer)
	return answer.Data, err
}
