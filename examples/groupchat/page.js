const [nickname, text, log, status] = ['nickname', 'text', 'log', 'status'].map((id) => document.getElementById(id));
let socket;

function show(who, what, kind = '') {
	const line = document.createElement('li');
	line.className = kind;
	line.textContent = who ? `${who}: ${what}` : what; // never innerHTML: a script that somebody sends is shown, not run
	log.append(line);
	line.scrollIntoView({ block: 'nearest' });
}

document.getElementById('enter').onsubmit = (event) => {
	event.preventDefault();
	socket?.close(1000, 'entering again');
	const name = nickname.value.trim();
	const path = name ? `/ws/${encodeURIComponent(name)}` : '/ws';
	const own = new WebSocket(location.origin.replace(/^http/, 'ws') + path);
	socket = own;
	own.onopen = () => (status.textContent = name ? `You are ${name}.` : 'You are here without a name.');
	own.onmessage = ({ data }) => {
		const { sender, msg } = name ? JSON.parse(data) : { sender: 'somebody', msg: data };
		show(sender, msg);
	};
	own.onclose = ({ code, reason }) => {
		if (socket === own) status.textContent = `You are out (${code} ${reason}).`;
	};
	text.focus();
};

document.getElementById('say').onsubmit = (event) => {
	event.preventDefault();
	if (socket?.readyState !== WebSocket.OPEN || !text.value) return;
	socket.send(text.value);
	show('you', text.value, 'own'); // the server tells only the others
	text.value = '';
};
