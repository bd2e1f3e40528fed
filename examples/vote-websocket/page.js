// One connection: votes go up, counts come down.
const status = document.getElementById('status');
let socket;
let attempts = 0;

function connect() {
	socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/message`);
	socket.onopen = () => {
		attempts = 0;
		status.textContent = 'Connected.';
	};
	socket.onmessage = (event) => {
		const { uid, count, error } = JSON.parse(event.data);
		if (error) status.textContent = error;
		else document.getElementById(`count-${uid}`).textContent = count;
	};
	socket.onclose = ({ code, reason }) => {
		status.textContent = `Connection closed (${code} ${reason}); connecting again.`;
		// Later each time, and not all pages at the same moment.
		setTimeout(connect, Math.random() * Math.min(30_000, 1000 * 2 ** attempts++));
	};
}

for (const button of document.querySelectorAll('button')) {
	button.addEventListener('click', () => {
		if (socket.readyState === WebSocket.OPEN) socket.send(button.dataset.uid);
	});
}

connect();
