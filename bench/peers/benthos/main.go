// A build of Benthos with an input for this vendor: `benthos run pipeline.yaml`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

const (
	triesMax = 10
	// Once the limit is reached, the vendor accepts nothing until the minute is over.
	waitForVendor = time.Minute
	timeFormat    = "2006-01-02T15:04:05.000Z"
)

type page struct {
	Events     []json.RawMessage `json:"security_events"`
	Generation string            `json:"last_log_item_generation_time"`
	Next       string            `json:"next_link"`
}

// input reads the streams one after the other, a page as a batch. The state of a stream goes forward when a page is acknowledged.
type input struct {
	resources       *service.Resources
	url, key, since string
	streams         []string
	once            bool
	stream          int
	link            string
	passBegan       time.Time
}

var spec = service.NewConfigSpec().Fields(
	service.NewURLField("url"),
	service.NewStringField("key").Secret(),
	service.NewStringListField("streams"),
	service.NewStringField("since"),
	service.NewBoolField("once"),
)

func newInput(conf *service.ParsedConfig, resources *service.Resources) (service.BatchInput, error) {
	in := &input{resources: resources}
	var err error
	if in.url, err = conf.FieldString("url"); err != nil {
		return nil, err
	}
	if in.key, err = conf.FieldString("key"); err != nil {
		return nil, err
	}
	if in.streams, err = conf.FieldStringList("streams"); err != nil {
		return nil, err
	}
	if in.since, err = conf.FieldString("since"); err != nil {
		return nil, err
	}
	if in.once, err = conf.FieldBool("once"); err != nil {
		return nil, err
	}
	return service.AutoRetryNacksBatched(in), nil
}

func (in *input) Connect(context.Context) error {
	in.passBegan = time.Now()
	return nil
}

func (in *input) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	for {
		if in.stream == len(in.streams) {
			if in.once {
				return nil, nil, service.ErrEndOfInput
			}
			if err := sleep(ctx, time.Until(in.passBegan.Add(time.Minute))); err != nil {
				return nil, nil, err
			}
			in.stream, in.passBegan = 0, time.Now()
		}
		stream := in.streams[in.stream]
		if in.link == "" {
			in.link = in.firstLink(ctx, stream)
		}
		page, err := in.read(ctx, in.link)
		if err != nil {
			return nil, nil, err
		}
		if in.link = page.Next; in.link == "" {
			in.stream++
		}
		if len(page.Events) > 0 {
			batch := make(service.MessageBatch, len(page.Events))
			for i, event := range page.Events {
				batch[i] = service.NewMessage(event)
			}
			return batch, in.acknowledge(stream, page.Generation), nil
		}
	}
}

func (in *input) acknowledge(stream, generation string) service.AckFunc {
	return func(ctx context.Context, err error) error {
		if err != nil {
			return err
		}
		var failed error
		err = in.resources.AccessCache(ctx, "state", func(cache service.Cache) {
			failed = cache.Set(ctx, keyOf(stream), []byte(generation), nil)
		})
		return errors.Join(err, failed)
	}
}

func (in *input) firstLink(ctx context.Context, stream string) string {
	start := in.since
	_ = in.resources.AccessCache(ctx, "state", func(cache service.Cache) {
		if stored, err := cache.Get(ctx, keyOf(stream)); err == nil && len(stored) > 0 {
			start = string(stored)
		}
	})
	service, event, _ := strings.Cut(stream, "/")
	end := time.Now().UTC().Format(timeFormat)
	query := url.Values{"service": {service}, "event": {event}, "start": {start}, "end": {end}}
	return in.url + "/v1/siem/security_events?" + query.Encode()
}

func (in *input) read(ctx context.Context, link string) (*page, error) {
	for tries := 1; ; tries++ {
		if err := in.waitForLimit(ctx); err != nil {
			return nil, err
		}
		body, status, err := in.get(ctx, link)
		if err == nil && status == http.StatusOK {
			var read page
			return &read, json.Unmarshal(body, &read)
		}
		if err == nil && status != http.StatusTooManyRequests && status < 500 || tries == triesMax {
			return nil, fmt.Errorf("the vendor responded with status %d: %w", status, err)
		}
		if err := sleep(ctx, waitForVendor); err != nil {
			return nil, err
		}
	}
}

func (in *input) waitForLimit(ctx context.Context) error {
	for in.resources.HasRateLimit("vendor") {
		var pause time.Duration
		var failed error
		err := in.resources.AccessRateLimit(ctx, "vendor", func(limit service.RateLimit) {
			pause, failed = limit.Access(ctx)
		})
		if err != nil || failed != nil || pause == 0 {
			return errors.Join(err, failed)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

func (in *input) get(ctx context.Context, link string) ([]byte, int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+in.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return body, response.StatusCode, err
}

func (in *input) Close(context.Context) error { return nil }

func keyOf(stream string) string { return strings.ReplaceAll(stream, "/", "_") }

func sleep(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

func main() {
	if err := service.RegisterBatchInput("cloud_app_security", spec, newInput); err != nil {
		panic(err)
	}
	service.RunCLI(context.Background())
}
