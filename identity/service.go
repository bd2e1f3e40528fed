package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parley/internal/cache"
)

// Options of a Service. The zero value is good.
type Options struct {
	Now      func() time.Time // the clock; default time.Now
	GuestTTL time.Duration    // a guest unseen for so long is forgotten and the name is free; default 30 days
	Log      *slog.Logger     // where Run reports what it could not do; default: nowhere
}

// cachedUsers is how many users Authenticate keeps in memory (about 200 bytes each, twice as many at most).
const cachedUsers = 10_000

// cachedTokens is how many tokens it knows without computing again whose they are (about 150 bytes each, likewise).
const cachedTokens = 10_000

// Change is news of a user.
type Change struct {
	User User // as it is now, or was
	Gone bool // forgotten or expired: the id is never used again
}

// Service signs people in and knows who they are. All methods may be called concurrently.
type Service struct {
	store  Store
	now    func() time.Time
	ttl    time.Duration
	log    *slog.Logger
	signer signer
	users  *cache.Cache[string, User]
	tokens *cache.Cache[string, string] // good ones, and whose they are: that never changes
	heard  []func(Change)

	mu   sync.Mutex
	seen map[string]time.Time // not yet written
}

// New makes a Service on a store, which keeps the secret that signs the tokens.
func New(ctx context.Context, store Store, o Options) (*Service, error) {
	secret, err := store.Secret(ctx, "identity-token")
	if err != nil {
		return nil, fmt.Errorf("load the secret that signs session tokens: %w", err)
	}
	if len(secret) < 32 {
		return nil, fmt.Errorf("the secret that signs session tokens has %d bytes; it needs 32", len(secret))
	}
	s := &Service{
		store: store, now: o.Now, ttl: o.GuestTTL, log: o.Log,
		signer: signer{secret}, seen: make(map[string]time.Time),
		users: cache.New[string, User](cachedUsers), tokens: cache.New[string, string](cachedTokens),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.ttl <= 0 {
		s.ttl = 30 * 24 * time.Hour
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// OnChange makes fn hear of every user that was renamed, made administrator, forgotten or expired, after it is
// committed. Call it before the Service is used; fn runs in the caller's goroutine and must not block.
func (s *Service) OnChange(fn func(Change)) { s.heard = append(s.heard, fn) }

func (s *Service) changed(c Change) {
	s.users.Drop(c.User.ID)
	for _, fn := range s.heard {
		fn(c)
	}
}

// Dropped forgets what is kept in memory of a user whom another node changed or forgot; DroppedAll, of all users, when news
// of such may have been missed. Nobody else is told: OnChange is for what this Service did.
func (s *Service) Dropped(id string) { s.users.Drop(id) }
func (s *Service) DroppedAll()       { s.users.Clear() }

// SignIn makes a new guest of that name and a token for it. ErrBadName, ErrNameTaken.
func (s *Service) SignIn(ctx context.Context, name string) (User, string, error) {
	name, fold, err := PrepareName(name)
	if err != nil {
		return User{}, "", err
	}
	return s.create(ctx, name, fold)
}

// Guest makes a new guest with a name of the server's making: Guest-K7QM.
func (s *Service) Guest(ctx context.Context) (User, string, error) {
	for try := 0; ; try++ {
		name, fold, err := prepare(guestName(4 + try/4)) // 900,000 names of four letters; longer ones as they fill up
		if err != nil {
			return User{}, "", err
		}
		u, token, err := s.create(ctx, name, fold)
		if try < 16 && errors.Is(err, ErrNameTaken) {
			continue
		}
		return u, token, err
	}
}

func (s *Service) create(ctx context.Context, name, fold string) (User, string, error) {
	now := s.now().UTC().Truncate(time.Millisecond)
	u := User{ID: newID(), Name: name, Created: now, Seen: now}
	if err := s.store.CreateUser(ctx, u, fold); err != nil {
		if errors.Is(err, ErrNameTaken) {
			err = ErrNameTaken.Detail("the name %q belongs to somebody else: choose another", name)
		}
		return User{}, "", err
	}
	return u, s.signer.sign(u.ID, now), nil
}

// Authenticate returns whose token it is. ErrNoSession for a token that is not of this server, or whose user is gone.
// Mostly it costs neither an HMAC nor a query.
func (s *Service) Authenticate(ctx context.Context, token string) (User, error) {
	if token == "" {
		return User{}, ErrNoSession.Detail("no token was sent: sign in first")
	}
	id, err := s.tokens.Load(token, func() (string, error) {
		id, _, ok := s.signer.verify(token)
		if !ok {
			return "", ErrNoSession.Detail("the token is not one of this server: sign in again")
		}
		return id, nil
	})
	if err != nil {
		return User{}, err
	}
	u, err := s.User(ctx, id)
	if errors.Is(err, ErrNoUser) {
		return User{}, ErrNoSession.Detail("the session has ended: its guest was forgotten, or not seen for %d days; sign in again", int(s.ttl.Hours()/24))
	}
	if err != nil {
		return User{}, err
	}
	s.see(u)
	return u, nil
}

// Known is Authenticate for somebody whose token was seen to be good, as far as memory tells, so it does not wait for anything: false if the store
// would have to be asked. Whose a token is never changes.
func (s *Service) Known(id string) (User, bool) {
	u, ok := s.users.Get(id)
	if ok {
		s.see(u)
	}
	return u, ok
}

// User returns a user by id, from memory mostly. ErrNoUser.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	return s.users.Load(id, func() (User, error) { return s.store.User(ctx, id) })
}

// Lookup returns a user by id, or else by name, compared as names are. ErrNoUser.
func (s *Service) Lookup(ctx context.Context, idOrName string) (User, error) {
	u, err := s.User(ctx, idOrName)
	if !errors.Is(err, ErrNoUser) {
		return u, err
	}
	if _, fold, bad := prepare(idOrName); bad == nil {
		u, err = s.store.UserByFold(ctx, fold)
	}
	if errors.Is(err, ErrNoUser) {
		err = ErrNoUser.Detail("nobody here has the id or name %.40q", idOrName)
	}
	return u, err
}

// MaxFound is how many people Search returns at most.
const MaxFound = 20

// Search returns up to MaxFound people whose names start so, by name; none for an empty prefix.
func (s *Service) Search(ctx context.Context, prefix string) ([]User, error) {
	fold := foldPrefix(prefix)
	if fold == "" {
		return nil, nil
	}
	return s.store.UsersByPrefix(ctx, fold, MaxFound)
}

// Rename gives a user another name; the same name changes nothing. ErrBadName, ErrNameTaken, ErrNoUser.
func (s *Service) Rename(ctx context.Context, id, name string) (User, error) {
	u, err := s.store.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	if same, _, err := prepare(name); err == nil && same == u.Name { // also a guest's own Guest-K7QM
		return u, nil
	}
	name, fold, err := PrepareName(name)
	if err != nil {
		return User{}, err
	}
	if err := s.store.RenameUser(ctx, id, name, fold); err != nil {
		if errors.Is(err, ErrNameTaken) {
			err = ErrNameTaken.Detail("the name %q belongs to somebody else: choose another", name)
		}
		return User{}, err
	}
	u.Name = name
	s.changed(Change{User: u})
	return u, nil
}

// Forget removes a user: every session of theirs ends and the name is free. ErrNoUser.
func (s *Service) Forget(ctx context.Context, id string) error {
	u, err := s.store.User(ctx, id)
	if err != nil {
		return err
	}
	if err := s.store.DeleteUser(ctx, id); err != nil {
		return err
	}
	s.changed(Change{User: u, Gone: true})
	return nil
}
